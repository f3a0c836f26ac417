#pragma once

// What a row of the benchmark measured: one line of JSON a value, which bench/table.py gathers.

// Writes {"row":…, "figure":…, "value":…} to the file that figure_open named. Values of one figure
// are its runs. Any thread.
void figure(const char *row, const char *name, double value);
// Appends to this file; NULL: standard output.
void figure_open(const char *path);
void figure_close(void);
// Tells a person what is going on.
void figure_say(const char *format, ...) __attribute__((format(printf, 1, 2)));
