#pragma once

// What the kernel says that a process cost. Any thread.

#include <sys/types.h>

// Seconds that its threads have spent on processors.
double cost_cpu_seconds(pid_t pid);
// A line of /proc/PID/smaps_rollup ("Rss", "Pss", "Private_Dirty") or of status ("VmHWM"), in KiB.
double cost_kib(pid_t pid, const char *name);
// Seconds that this thread has spent on a processor, and seconds from an unspecified start.
double cost_own_cpu_seconds(void);
double cost_now_seconds(void);
// The value at this share (0.99) of n values, which it sorts.
double cost_percentile(double *values, size_t n, double share);
