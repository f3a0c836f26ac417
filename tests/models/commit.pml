/* Commit, acknowledge, crash: what a receipt is worth.

   Two phones push one change each, again and again until they have a receipt. The hub checks a push
   against what it has (hub_check_push), puts it into the writer's inbox (writer_put), and the writer
   takes what waits as one batch into one transaction (take_batch, write_batch: run_all, commit), or,
   when an item fails, each into one of its own (run_each_alone). LMDB's commit is one step. Answers
   go out after it (hand_back, deliver). The hub may crash between any two steps; requests and
   answers may be lost.

   FAULT_ACK:   the answer goes out before the commit.
   FAULT_TWICE: a change that is there is appended again (hub_push does not skip what overlaps).
   FAULT_BATCH: an item that fails takes those before it in its batch along, and they are answered. */

#define PHONES 2

bool durable[PHONES];    /* in the log, committed */
byte times[PHONES];      /* how often it stands there */
bool pending[PHONES];    /* in the transaction under way */
bool batch[PHONES];      /* taken from the inbox, not answered yet */
bool failed[PHONES];     /* its item failed: it is answered as such */
bool receipt[PHONES];    /* the phone has one */
byte crashes = 2;        /* that may still happen */
byte losses = 2;
byte failures = 1;       /* of items, by the environment's fault */

chan inbox = [PHONES] of { byte };
chan answers[PHONES] = [1] of { bool };

#define READY (receipt[0] && receipt[1])

inline forget() {
    d_step {
        i = 0;
        do
        :: i < PHONES -> pending[i] = false; batch[i] = false; failed[i] = false; i++
        :: else -> break
        od;
        do
        :: nempty(inbox) -> inbox ? who
        :: else -> break
        od;
        i = 0; who = 0
    }
}

/* hub_push: what overlaps is skipped. */
inline append(n) {
#ifdef FAULT_TWICE
    pending[n] = true
#else
    pending[n] = !durable[n]
#endif
}

inline commit() {
    d_step {
        i = 0;
        do
        :: i < PHONES ->
            if
            :: pending[i] -> durable[i] = true; times[i]++; pending[i] = false
            :: else
            fi;
            i++
        :: else -> break
        od;
        i = 0
    }
    assert(times[0] <= 1 && times[1] <= 1)
}

inline answer_all() {
    i = 0;
    do
    :: i < PHONES ->
        if
        :: batch[i] ->
            batch[i] = false;
            if
            :: losses > 0 -> losses--           /* lost on its way */
            :: full(answers[i])                 /* the phone has gone */
            :: nfull(answers[i]) -> answers[i] ! !failed[i]
            fi;
            failed[i] = false
        :: else
        fi;
        i++
    :: else -> break
    od;
    i = 0
}

active proctype hub() {
    byte i = 0, who = 0;
    bool alone;
end_wait:
    inbox ? who;
take:
    batch[who] = true;
    append(who);
    if
    :: nempty(inbox) -> inbox ? who; goto take
    :: true
    fi;
    if
    :: crashes > 0 -> crashes--; forget(); goto end_wait
    :: true
    fi;
    if
    :: failures > 0 -> failures--; alone = true
    :: true -> alone = false
    fi;
    if
    :: alone ->
        /* The transaction is given up; the one that failed fails again, the others do not. */
#ifndef FAULT_BATCH
        failed[who] = true;
#endif
        pending[0] = false;
        pending[1] = false;
        i = 0;
        do
        :: i < PHONES ->
            if
            :: batch[i] && !failed[i] ->
#ifndef FAULT_BATCH
                append(i)
#else
                skip
#endif
            :: else
            fi;
            i++
        :: else -> break
        od
    :: else
    fi;
#ifdef FAULT_ACK
    answer_all();
#endif
    if
    :: crashes > 0 -> crashes--; forget(); goto end_wait
    :: true
    fi;
    commit();
    if
    :: crashes > 0 -> crashes--; forget(); goto end_wait
    :: true
    fi;
    answer_all();
    goto end_wait
}

proctype phone(byte me) {
    bool good;
    do
    :: receipt[me] -> break
    :: else ->
        if
        :: losses > 0 -> losses--                 /* the request is lost */
        :: nfull(inbox) -> inbox ! me
        fi;
        if
        :: answers[me] ? good ->
            if
            :: good ->
                assert(durable[me]);
                receipt[me] = true
            :: else
            fi
        :: timeout                                /* nothing comes any more: ask again */
        fi
    od
}

init {
    atomic { run phone(0); run phone(1) }
}

ltl all_arrive { <> READY }
