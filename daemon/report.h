#pragma once

// One line an event on standard error. Never a token, a code, an address of a person or words of a
// record. Any thread.

enum report_level { REPORT_ERROR, REPORT_WARNING, REPORT_INFO, REPORT_DEBUG };

// Lines less urgent than this are left out; at the start: REPORT_INFO.
void report_set_level(enum report_level level);

// Writes "level: sentence" in one piece, without line breaks and cut at 1,000 bytes. With
// JOURNAL_STREAM in the environment the level is a prefix that the journal understands.
void report_put(enum report_level level, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
