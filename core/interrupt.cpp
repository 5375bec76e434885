#include "core/interrupt.h"

#include <unistd.h>

#include <atomic>
#include <csignal>
#include <cstring>

namespace xgen {
namespace {

std::atomic<bool> requested_stop{false};
static_assert(std::atomic<bool>::is_always_lock_free, "used in a signal handler");

void on_signal(int /*signal*/) {
  if (requested_stop.exchange(true)) _exit(130);
  constexpr char kMessage[] = "\nstopping after saving; once more to stop at once\n";
  // A handler may not use streams, and nothing can be done when the terminal is gone.
  [[maybe_unused]] const auto written = write(STDERR_FILENO, kMessage, sizeof(kMessage) - 1);
}

}  // namespace

void install_interrupt_handler() {
  struct sigaction action {};
  action.sa_handler = on_signal;
  sigemptyset(&action.sa_mask);
  action.sa_flags = SA_RESTART;
  sigaction(SIGINT, &action, nullptr);
  sigaction(SIGTERM, &action, nullptr);
}

bool interrupt_requested() { return requested_stop.load(); }

void request_interrupt(bool requested) { requested_stop.store(requested); }

}  // namespace xgen
