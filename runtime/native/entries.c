/* What is open under the runtime's ids. */
#include <errno.h>
#include <stdlib.h>

#include "agent.h"

#define BUCKETS 256

static struct entry *first;
static struct entry *buckets[BUCKETS];
static size_t count;

static struct entry **bucket(uint32_t id) {
  return &buckets[id % BUCKETS];
}

struct entry *entries(void) {
  return first;
}

struct entry *entry_find(uint32_t id) {
  struct entry *e = *bucket(id);
  while (e && !(e->listed && e->id == id)) e = e->next_alike;
  return e;
}

struct entry *entry_add(uint32_t id, bool is_process) {
  int error = !id || entry_find(id) ? EEXIST : count >= MAX_ENTRIES ? EMFILE : 0;
  struct entry *e = error ? NULL : calloc(1, sizeof *e);
  if (!e) {
    send_failed(id, error ? error : ENOMEM, STEP_LIMIT);
    return NULL;
  }
  e->id = id;
  e->listed = true;
  e->is_process = is_process;
  e->in.fd = e->in.source.fd = e->out[0].source.fd = e->out[1].source.fd = e->report.fd = e->dialing.fd = -1;
  e->output[0] = e->output[1] = -1;
  e->in.owner = e->out[0].owner = e->out[1].owner = e->report.owner = e->dialing.owner = e;
  e->next_alike = *bucket(id);
  *bucket(id) = e;
  e->next = first;
  if (first) first->prev = e;
  first = e;
  count++;
  return e;
}

void entry_settle(struct entry *e) {
  if (e->listed || !(e->is_process ? process_is_gone(e) : connection_is_gone(e))) return;
  struct entry **at = bucket(e->id);
  while (*at != e) at = &(*at)->next_alike;
  *at = e->next_alike;
  if (e->prev) e->prev->next = e->next;
  else first = e->next;
  if (e->next) e->next->prev = e->prev;
  count--;
  inlet_close(&e->in);
  free(e);
}

void entry_unlist(struct entry *e) {
  e->listed = false;
  entry_settle(e);
}
