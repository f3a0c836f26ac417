#pragma once

// One line an event, for the journal or on standard error. Never a token, a code, an address of a
// person or words of a record. Any thread.

enum report_level { REPORT_ERROR, REPORT_WARNING, REPORT_INFO, REPORT_DEBUG };

// What the line is about, for whoever looks for it: fields of the journal (FOLKMOOT_EVENT,
// FOLKMOOT_DEVICE, FOLKMOOT_REQUEST). NULL or empty: none.
struct report_about {
    const char *event;   // a word with underscores
    const char *device;  // its handle in hexadecimal
    const char *request; // its id, as the device was told
};

// Lines less urgent than this are left out; at the start: REPORT_INFO.
void report_set_level(enum report_level level);

// Writes a sentence in one piece, without line breaks and cut at 1,000 bytes: as a datagram of the
// journal's own where standard error leads there (systemd.exec(5), JOURNAL_STREAM), else as
// "level: sentence" on standard error.
void report_put(enum report_level level, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
void report_event(enum report_level level, const struct report_about *about, const char *format,
                  ...) __attribute__((format(printf, 3, 4)));
