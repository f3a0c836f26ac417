#include "daemon/request_id.h"

#include <xxhash.h>

void request_id(uint64_t secret, uint64_t number, char text[REQUEST_ID_SIZE])
{
    static const char digits[] = "0123456789abcdefghjkmnpqrstvwxyz";
    uint64_t mixed = XXH3_64bits_withSeed(&number, sizeof number, secret);
    for (int i = 0; i < REQUEST_ID_SIZE - 1; i++)
        text[i] = digits[mixed >> 5 * i & 31];
    text[REQUEST_ID_SIZE - 1] = '\0';
}
