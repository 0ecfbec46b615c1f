// What glibc declares only under _GNU_SOURCE, or only as macros, and therefore keeps from Swift.
//
// Every function returns what the call it is named after returns and leaves errno as that call left it.
#pragma once
#include <signal.h>
#include <spawn.h>
#include <stddef.h>
#include <sys/types.h>

// Signals and events as descriptors, both close-on-exec and non-blocking.
int linux_signalfd(const sigset_t *mask);
// The next signal's number, 0 if none is pending, -1 on failure.
int linux_signalfd_next(int descriptor);
int linux_eventfd(void);

// Processes.
int linux_set_parent_death_signal(int signal);
int linux_spawn_close_from(posix_spawn_file_actions_t *actions, int lowest);
// Ours; a global variable in C, which Swift would take for shared state.
char **linux_environment(void);
// Duplicates to the lowest free number that is at least `lowest`, close-on-exec.
int linux_duplicate_from(int descriptor, int lowest);
// Waits until the child has ended, without reaping it.
int linux_await_exit(pid_t pid);
// 1 after exit, 2 after a signal, 0 otherwise; `detail` is the exit code or the signal.
int linux_exit_kind(int status, int *detail);

// Threads.
int linux_set_thread_name(const char *name);

// Files.
int linux_flock_exclusive_now(int descriptor);
int linux_unlock(int descriptor);
// Removes a folder with all it holds; links are removed, never followed.
int linux_remove_tree(const char *path);
int linux_pipe(int descriptors[2]);
int linux_socket_pair(int descriptors[2]);

// Shared memory.
int linux_memfd(const char *name);
// Seals against resizing; against writable mappings made later and against further seals as well, if asked for.
int linux_memfd_seal(int descriptor, int refuse_later_writers, int refuse_later_seals);
// 1 if the size cannot change any more, 0 if it can, -1 on failure.
int linux_memfd_size_is_sealed(int descriptor);

// One descriptor and one byte over a Unix socket.
ssize_t linux_send_descriptor(int socket, int descriptor);
// Sets `descriptor` to -1 if the message carried none; surplus descriptors are closed.
ssize_t linux_receive_descriptor(int socket, int *descriptor);

// The machine.
// Writes the numbers of the cores that the calling thread may run on, ascending, at most `size`; how many there are, -1 on failure.
int linux_affinity(int *cores, int size);
int linux_set_affinity(const int *cores, int count);
// Asks for turns of so many nanoseconds for the calling thread; 1 if its policy has none to ask for. Kernels before 6.12 take no notice.
int linux_ask_for_turns(unsigned long long nanoseconds);
int linux_terminal_width(int descriptor);
// Blocks up to `largest_block` bytes come from the heap, which keeps up to `kept` free bytes at its end.
void linux_keep_freed_memory(int largest_block, int kept);

// Connections.
// Bytes that the kernel has received over a TCP connection, -1 if it is none.
long long linux_tcp_received(int descriptor);
// Writes who is at the other end: "ADDRESS:PORT" at TCP, "process N" at a Unix socket. 0, or -1 if nobody is.
int linux_peer_name(int descriptor, char *name, size_t size);
