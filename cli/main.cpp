#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <exception>
#include <filesystem>

#include "cli/requirements_error.h"
#include "cli/verb.h"
#include "core/error.h"
#include "core/interrupt.h"
#include "core/log.h"

namespace {

// GCC's OpenMP, which LibTorch computes with, lets idle threads spin for long. Beside any other
// busy program they then take the processor from each other: 10 to 20 times less speed was
// measured, while 2,000 turns cost nothing on an idle machine. It reads its settings when it is
// loaded, so the program starts itself again with them; who sets the variables decides otherwise.
void wait_without_spinning([[maybe_unused]] char** argv) {
#ifdef XGEN_WITH_TORCH
  if (std::getenv("OMP_WAIT_POLICY") != nullptr) return;
  setenv("OMP_WAIT_POLICY", "passive", 1);
  setenv("GOMP_SPINCOUNT", "2000", 0);
  // By its own path, so that ps and pkill know the program by name.
  std::error_code error;
  const std::filesystem::path self = std::filesystem::read_symlink("/proc/self/exe", error);
  if (!error) execv(self.c_str(), argv);
#endif
}

}  // namespace

int main(int argc, char** argv) {
  using namespace xgen;
  wait_without_spinning(argv);
  CLI::App app(
      "xgen-train: makes a trained network small and fast for one device, and proves it.\n");
  app.require_subcommand(1);
  app.failure_message(CLI::FailureMessage::help);
  bool quiet = false;
  app.add_flag("-q,--quiet", quiet, "Print warnings and errors only.");
  app.parse_complete_callback([&] {
    if (quiet) log::set_level(log::Level::warning);
  });
  app.set_version_flag("--version", "xgen 0.1.0");
  int exit_code = cli::kDone;
#define XGEN_VERB(name) cli::add_##name(app, exit_code);
#include "cli/verbs.inc"
#undef XGEN_VERB
  try {
    install_interrupt_handler();
    app.parse(argc, argv);
    return exit_code;
  } catch (const CLI::Success& done) {
    return app.exit(done);
  } catch (const CLI::ParseError& error) {
    std::fprintf(stderr, "xgen-train: %s\nTry --help.\n", error.what());
    return cli::kInput;
  } catch (const Interrupted& stop) {
    std::fprintf(stderr, "xgen-train: %s\n", stop.what());
    return cli::kInterrupted;
  } catch (const cli::RequirementsError& error) {
    std::fprintf(stderr, "xgen-train: %s\n", error.what());
    return cli::kRequirements;
  } catch (const UserError& error) {
    std::fprintf(stderr, "xgen-train: %s\n", error.what());
    return cli::kInput;
  } catch (const std::exception& error) {
    std::fprintf(stderr, "xgen-train: a bug of ours, please report it: %s\n", error.what());
    return cli::kBug;
  }
}
