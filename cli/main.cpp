#include <cstdio>
#include <exception>

#include "cli/library_settings.h"
#include "cli/requirements_error.h"
#include "cli/verb.h"
#include "core/error.h"
#include "core/interrupt.h"
#include "core/log.h"

int main(int argc, char** argv) {
  using namespace xgen;
#ifdef XGEN_WITH_TORCH
  cli::apply_library_settings(argv);
#endif
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
