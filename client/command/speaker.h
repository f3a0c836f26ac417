#pragma once

// A person's card: its code is 26 characters of Crockford's base32 (130 random bits), known to the
// person alone. The library hashes it and keeps only the hash.

#include "client/command/app.h"

enum { SPEAKER_CARD_BYTES = 27 };

// The person of --person, if it is given: *given says so. "new" makes a card, whose code goes to
// `fresh` (else "") and must be shown to the person, for it is kept nowhere.
enum command_exit speaker_option(struct app *app, bool *given, uint8_t person[16],
                                 char fresh[SPEAKER_CARD_BYTES]);
// The same of a text: a card's code, or the person's id as person:ID or in 32 hexadecimal digits.
enum command_exit speaker_find(struct app *app, const char *text, uint8_t person[16]);
// Who speaks where nobody is named: a member speaks for themselves. *given: whether that is so.
enum command_exit speaker_myself(struct app *app, bool *given, uint8_t person[16]);
