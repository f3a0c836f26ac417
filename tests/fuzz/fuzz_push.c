// Any bytes as a SyncRequest of an enrolled device.

#include "tests/fuzz/fuzz.h"
#include "tests/fuzz/serve.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena arena ARENA_CLEANUP;
    struct sync_request request = {0};
    struct fault fault = {0};
    arena_init(&arena, 16 << 20);
    enum err err =
        message_decode(&sync_request_message, bytes_of(data, size), &arena, &request, &fault);
    assert(!err || fault.text[0]);
    for (unsigned i = 0; i < MOOT_DEVICES && !err; i++) {
        enum err served = serve(&moot_get()->devices[i], &request, NULL);
        (void)served;
    }
    return 0;
}
