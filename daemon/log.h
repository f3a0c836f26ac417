#pragma once

// One line an event on standard error. Never a token, a code, an address of a person or words of a
// record. Any thread.

enum log_level { LOG_ERROR, LOG_WARNING, LOG_INFO, LOG_DEBUG };

// Lines less urgent than this are left out; at the start: LOG_INFO.
void log_set_level(enum log_level level);
enum log_level log_get_level(void);

// Writes "level: sentence" in one piece, without line breaks and cut at 1,000 bytes. With
// JOURNAL_STREAM in the environment the level is a prefix that the journal understands.
void log_put(enum log_level level, const char *format, ...) __attribute__((format(printf, 2, 3)));
