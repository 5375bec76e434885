#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>
#include <vector>

namespace xgen::cli {

/// Whether a run is to end: after it saved its state, as by Ctrl-C, or at once.
enum class Stop : std::uint8_t { no, saved, at_once };

/// How a run ended that was a process of its own.
struct ChildRun {
  int code = 0;           ///< exit code; 128 + signal where it was killed.
  std::string last_line;  ///< of what it said, without the program's name.
};

/// Runs this program with other arguments and waits for it. It ends when this process does.
/// @param arguments  the program's name first.
/// @param messages   file for what it says.
/// @param stop       asked all the time.
/// @throws UserError where no process can be started.
ChildRun run_child(const std::vector<std::string>& arguments, const std::filesystem::path& messages,
                   const std::function<Stop()>& stop);

}  // namespace xgen::cli
