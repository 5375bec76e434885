#pragma once

#include <sys/wait.h>

#include <array>
#include <cstdio>
#include <filesystem>
#include <string>

#include "core/error.h"

namespace xgen::test {

/// What a shell command printed, stderr included unless it is redirected, and its exit code.
struct CommandResult {
  int exit_code = 0;
  std::string output;
};

inline CommandResult run_command(const std::string& command) {
  CommandResult result;
  FILE* pipe = popen(("(" + command + ") 2>&1").c_str(), "r");
  XGEN_CHECK(pipe != nullptr, command);
  std::array<char, 4096> part{};
  for (std::size_t got = 0; (got = fread(part.data(), 1, part.size(), pipe)) > 0;)
    result.output.append(part.data(), got);
  const int status = pclose(pipe);
  result.exit_code = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
  return result;
}

/// A small disk of its own at a new folder, or one where nothing can be written; only root can
/// mount it.
class Mounted {
 public:
  Mounted(const std::filesystem::path& at, const std::string& options) : at_(at.string()) {
    std::filesystem::create_directory(at);
    const CommandResult mounted =
        run_command("mount -t tmpfs -o " + options + " xgen-test '" + at_ + "'");
    ok_ = mounted.exit_code == 0;
    why_ = mounted.output;
  }
  ~Mounted() {
    if (ok_) run_command("umount '" + at_ + "'");
  }
  Mounted(const Mounted&) = delete;
  Mounted& operator=(const Mounted&) = delete;
  bool ok() const { return ok_; }
  const std::string& why() const { return why_; }

 private:
  std::string at_, why_;
  bool ok_ = false;
};

}  // namespace xgen::test
