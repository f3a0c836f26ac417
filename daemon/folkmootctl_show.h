#pragma once

// One function an answer: prints it for people on standard output.

#include <cjson/cJSON.h>

typedef void ctl_show(const cJSON *answer);

ctl_show ctl_show_status, ctl_show_created, ctl_show_communities, ctl_show_devices,
    ctl_show_fingerprint, ctl_show_invitation, ctl_show_decided, ctl_show_released, ctl_show_erased,
    ctl_show_voided, ctl_show_rotated, ctl_show_apart, ctl_show_audit, ctl_show_who_may,
    ctl_show_backup, ctl_show_restored, ctl_show_exported, ctl_show_imported, ctl_show_compacted,
    ctl_show_verified, ctl_show_doctor, ctl_show_faults, ctl_show_picture;
