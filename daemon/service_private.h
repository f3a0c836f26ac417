#pragma once

// What the service*.c files share: the functions of Sync and Deliver.

#include "daemon/service.h"

service_function service_sync_check;
service_function service_sync_write;
service_function service_sync_answer;
// Takes what was planned.
service_function service_push;
// Opens the letter, the first time, and makes its author the caller in the place of whoever carries
// it.
service_function service_take_author;
service_function service_deliver_check;
service_function service_deliver_answer;
