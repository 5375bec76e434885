#pragma once

#include <CLI/CLI.hpp>
#include <iostream>
#include <nlohmann/json.hpp>
#include <string>

namespace xgen::cli {

/// What the process returns (DESIGN section 11).
enum ExitCode : int {
  kDone = 0,
  kBug = 1,
  kInput = 2,
  kRequirements = 3,
  kFailed = 4,
  kInterrupted = 130
};

/// Adds a verb to the command line; when it is given, its callback does the work and sets
/// `exit_code` where that is not kDone. Errors are thrown: main turns them into messages and codes.
#define XGEN_VERB(name) void add_##name(CLI::App& app, int& exit_code);
#include "cli/verbs.inc"
#undef XGEN_VERB

/// Results go to stdout, as one JSON object with --json; everything else to stderr.
inline void print_json(const nlohmann::json& json) { std::cout << json.dump(1) << std::endl; }

}  // namespace xgen::cli
