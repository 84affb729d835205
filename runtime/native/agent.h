/* What the parts of the agent share: its link to the relay, and the ids that live on it. */
#ifndef MOORAGE_AGENT_H
#define MOORAGE_AGENT_H

#include <sys/types.h>

#include "stream.h"

/* So many processes and connections at once; the next one is refused with STEP_LIMIT. */
#define MAX_ENTRIES 4096

/* A process or a connection. */
struct entry {
  struct entry *prev, *next; /* of all */
  struct entry *next_alike;  /* of those in the same bucket */
  uint32_t id;
  bool listed; /* the runtime knows it by its id */
  bool is_process;
  struct inlet in;
  struct outlet out[2];

  /* of a process */
  pid_t pid;
  bool starting; /* its exec is not known to have worked yet */
  bool exited;   /* it was waited for: the pid may be another's */
  bool is_terminal;
  bool input_ended; /* EOF came */
  int output[2]; /* what `out` will read once it has started, else -1 */
  int status;
  struct source report; /* the pipe that tells whether the exec worked */

  /* of a connection that is not open yet */
  struct source dialing;
  uint16_t port;
  int attempt;
  int first_error;
};

extern struct link relay;

/* entries.c */
struct entry *entry_find(uint32_t id);
/* A new, listed entry, or NULL: answered with FAILED already. */
struct entry *entry_add(uint32_t id, bool is_process);
/* The runtime knows it no longer; it is freed as soon as nothing of it is open. */
void entry_unlist(struct entry *entry);
/* Frees it in time, if there is nothing left of it. */
void entry_settle(struct entry *entry);
struct entry *entries(void);

void send_failed(uint32_t id, int error, uint8_t step);

/* process.c */
void process_spawn(uint32_t id, uint8_t *payload, size_t length);
void process_signal(struct entry *entry, int signal);
/* Kills it and all that share its session, which it leads. */
void process_end(struct entry *entry);
void process_resize(struct entry *entry, uint16_t cols, uint16_t rows);
void process_input_end(struct entry *entry);
/* Nobody reads this output any more. */
void process_hang_up(struct entry *entry, uint8_t stream);
void process_forget(struct entry *entry);
/* Waits for everything that has ended. */
void process_reap(void);
/* After the link was opened again: says what may have been lost. */
void process_repeat(struct entry *entry);
bool process_is_gone(const struct entry *entry);

/* connection.c */
void connection_dial(uint32_t id, uint16_t port);
void connection_input_end(struct entry *entry);
void connection_reset(struct entry *entry);
bool connection_is_gone(const struct entry *entry);

/* app.c */
enum app_state { APP_NONE, APP_STARTING, APP_RUNS, APP_FAILED };
enum app_state app_state(void);
/* Becomes two processes; returns in the one that goes on as the agent. */
void app_run(uint8_t *payload, size_t length);
void app_signal(int signal);
/* After the link was opened again: says what may have been lost. */
void app_repeat(void);
/* Milliseconds until app_tick wants to be called, -1: never. */
int app_wait_ms(void);
void app_tick(void);
/* Ends everything in the container, this process too. */
void app_end(int code) __attribute__((noreturn));

/* listening.c: writes a line for each TCP socket that listens, and returns how much that is; 0 where the kernel does not tell. */
size_t listening(char *text, size_t size);

/* agent.c: signals are watched anew by the half that goes on after a fork. */
void agent_watch_signals(void);

#endif
