#include "sync/eye.h"

bool eye_sees(const struct eye *eye, uint32_t class, const uint8_t device[HANDLE_SIZE],
              const struct record_key *record)
{
    if (class == CLASS_ORDINARY || eye->personal || memcmp(device, eye->device, HANDLE_SIZE) == 0)
        return true;
    return memcmp(record->id, eye->device, 8) == 0;
}
