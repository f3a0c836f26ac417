#include "sync/eye.h"

bool eye_sees(const struct eye *eye, uint32_t class, const uint8_t device[HANDLE_SIZE],
              const struct record_key *record)
{
    switch (role_may_see(eye->role, record->kind, class)) {
    case REACH_ALL:
        return true;
    case REACH_OWN:
        return memcmp(device, eye->device, HANDLE_SIZE) == 0 ||
               memcmp(record->id, eye->device, 8) == 0;
    case REACH_AUDIENCE:
        return eye->is_in_audience;
    case REACH_NONE:
        break;
    }
    return false;
}
