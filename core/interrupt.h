#pragma once

#include <stdexcept>

namespace xgen {

/// Work was stopped by the user and its state is saved; the program exits with code 130.
class Interrupted : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

/// From now on the first Ctrl-C (SIGINT, or SIGTERM) only asks to stop, the second ends the program
/// at once with code 130.
void install_interrupt_handler();

/// Whether a stop was asked for. Long loops look at it where their state can be saved.
bool interrupt_requested();

/// Asks to stop as Ctrl-C does, or takes that back; for tests and for embedding programs.
void request_interrupt(bool requested = true);

}  // namespace xgen
