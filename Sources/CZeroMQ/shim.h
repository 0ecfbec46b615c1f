#pragma once
#include <zmq.h>

// libzmq's own error numbers are macros built on a macro, which Swift does not import.
static inline int dnn_zmq_etype_term(void) { return ETERM; }
static inline int dnn_zmq_efsm(void) { return EFSM; }
