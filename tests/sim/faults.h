#pragma once

// A process that dies at one of its storage operations: the calls of storage/ into LMDB and to the
// file system, wrapped by the linker. From that operation on every one fails, so that nothing that
// comes later is durable, until the process is said to be back. One thread.

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

// What becomes of the operation at which the process dies: it never was, or it was and nobody was
// told. Of those that change nothing both are the same.
enum faults_last { FAULTS_LAST_UNDONE, FAULTS_LAST_DONE };

// Dies at the n-th operation from now, 1 the next.
void faults_arm(uint64_t n, enum faults_last last);
// Is back, or will not die. True when it had died.
bool faults_clear(void);
bool faults_dead(void);
// Operations since the program began.
uint64_t faults_operations(void);
