/* One invitation, for one device, and two devices that want in.

   hub_enrol looks up the code, notes the use and by whom (invitation_note_use), decides the enrolment
   and gives a token in one transaction; the answer goes out after its commit. The hub may crash
   before and after it, answers may be lost, and a device repeats its request until it knows.

   FAULT_LATE: the use is noted in a transaction of its own, after the answer.
   FAULT_WHOM: it is not noted by whom it was used. */

#define DEVICES 2
#define USES 1

byte used;
bool used_by[DEVICES];
bool enrolled[DEVICES];
bool has_token[DEVICES];
bool refused[DEVICES];
byte crashes = 2;
byte losses = 2;

chan asked = [DEVICES] of { byte };
chan answers[DEVICES] = [1] of { bool };

#define ONE_IS_IN (has_token[0] || has_token[1])

inline note_use(n) {
    used++;
#ifndef FAULT_WHOM
    used_by[n] = true
#else
    skip
#endif
}

/* One transaction: all of it or nothing. */
inline enrol(n) {
    d_step {
        if
        :: used_by[n] -> good = true
        :: !used_by[n] && used < USES ->
            good = true;
            enrolled[n] = true;
#ifndef FAULT_LATE
            note_use(n)
#endif
        :: else -> good = false
        fi
    }
    assert(enrolled[0] + enrolled[1] <= USES)
}

inline answer(n) {
    if
    :: losses > 0 -> losses--
    :: full(answers[n])
    :: nfull(answers[n]) -> answers[n] ! good
    fi
}

active proctype hub() {
    byte who = 0;
    bool good;
end_wait:
    asked ? who;
    if
    :: crashes > 0 -> crashes--; goto end_wait      /* before the commit */
    :: true
    fi;
    enrol(who);
    if
    :: crashes > 0 -> crashes--; goto end_wait      /* after it, before the answer */
    :: true
    fi;
    answer(who);
#ifdef FAULT_LATE
    if
    :: crashes > 0 -> crashes--; goto end_wait
    :: true
    fi;
    if
    :: good && !used_by[who] -> note_use(who)
    :: else
    fi;
#endif
    goto end_wait
}

proctype device(byte me) {
    bool good;
    do
    :: has_token[me] || refused[me] -> break
    :: else ->
        if
        :: losses > 0 -> losses--
        :: nfull(asked) -> asked ! me
        fi;
        if
        :: answers[me] ? good ->
            if
            :: good -> assert(enrolled[me]); has_token[me] = true
            :: else -> assert(!enrolled[me]); refused[me] = true
            fi
        :: timeout
        fi
    od
}

init {
    atomic { run device(0); run device(1) }
}

ltl somebody_gets_in { <> ONE_IS_IN }
