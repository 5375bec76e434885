#pragma once

#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>
#include <thread>
#include <vector>

#include "core/error.h"

namespace xgen::test {

/// What a program left: its exit code (128 + signal when it was killed) and what it printed.
struct Outcome {
  int code = 0;
  std::string out, err;
};

/// A program that runs beside the test; its output goes to files in `folder`.
class Process {
 public:
  /// @param environment  "NAME=VALUE", set besides what this process has.
  Process(std::vector<std::string> arguments, std::filesystem::path folder,
          std::vector<std::string> environment = {})
      : folder_(std::move(folder)) {
    std::filesystem::create_directories(folder_);
    pid_ = fork();
    XGEN_CHECK(pid_ >= 0, "fork");
    if (pid_ > 0) return;
    redirect(folder_ / "stdout", STDOUT_FILENO);
    redirect(folder_ / "stderr", STDERR_FILENO);
    for (std::string& variable : environment) putenv(variable.data());
    std::vector<char*> argv;
    for (std::string& a : arguments) argv.push_back(a.data());
    argv.push_back(nullptr);
    execv(argv[0], argv.data());
    _exit(127);
  }

  void send(int signal) const { kill(pid_, signal); }
  bool is_running() {
    if (!ended_ && waitpid(pid_, &status_, WNOHANG) == pid_) ended_ = true;
    return !ended_;
  }
  Outcome wait() {
    if (!ended_) waitpid(pid_, &status_, 0);
    ended_ = true;
    Outcome outcome;
    outcome.code = WIFEXITED(status_) ? WEXITSTATUS(status_) : 128 + WTERMSIG(status_);
    outcome.out = text_of(folder_ / "stdout");
    outcome.err = text_of(folder_ / "stderr");
    return outcome;
  }

 private:
  static void redirect(const std::filesystem::path& file, int descriptor) {
    const int to = open(file.c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0644);
    dup2(to, descriptor);
    close(to);
  }
  static std::string text_of(const std::filesystem::path& file) {
    std::ifstream stream(file, std::ios::binary);
    std::ostringstream text;
    text << stream.rdbuf();
    return text.str();
  }

  std::filesystem::path folder_;
  pid_t pid_ = -1;
  int status_ = 0;
  bool ended_ = false;
};

}  // namespace xgen::test
