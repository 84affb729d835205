/* moorage-agent: gateway, sandbox and agent in one static program, which must run in any image. */
#include <string.h>
#include <unistd.h>

#include "frame.h"
#include "modes.h"
#include "say.h"

int main(int argc, char **argv) {
  const char *mode = argc > 1 ? argv[1] : "";
  if (!*mode) return agent_main();
  if (!strcmp(mode, "gateway")) return gateway_main(argv + 2);
  if (!strcmp(mode, "sandbox") && argc == 3) return sandbox_main(argv[2]);
  /* An app that does nothing, for a container that somebody only looks into. */
  if (!strcmp(mode, "rest"))
    for (;;) pause();
  if (!strcmp(mode, "--version")) {
    say(1, WIRE_VERSION_TEXT "\n", NULL);
    return 0;
  }
  say(2, "usage: moorage-agent [gateway [refused network]... | sandbox <gateway IPv4> | rest | --version]\n", NULL);
  return 2;
}
