#include "cli/search/child_run.h"

#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <cstdio>
#include <fstream>
#include <thread>

#include "core/error.h"

namespace xgen::cli {

namespace {

constexpr std::chrono::milliseconds kPoll{50};

[[noreturn]] void become(const std::vector<std::string>& arguments,
                         const std::filesystem::path& messages, pid_t parent) {
  std::vector<char*> argv;
  for (const std::string& a : arguments) argv.push_back(const_cast<char*>(a.c_str()));
  argv.push_back(nullptr);
  // A worker that is killed takes its run along: the next worker goes on in the same folder.
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (getppid() != parent) _exit(127);  // it was killed before that was said
  if (freopen(messages.c_str(), "w", stderr) == nullptr ||
      freopen("/dev/null", "w", stdout) == nullptr)
    _exit(127);
  execv("/proc/self/exe", argv.data());
  _exit(127);
}

std::string last_line(const std::filesystem::path& file) {
  std::ifstream in(file);
  std::string line, last;
  while (std::getline(in, line)) {
    if (!line.empty()) last = line;
  }
  const std::string speaker = "xgen-train: ";
  return last.starts_with(speaker) ? last.substr(speaker.size()) : last;
}

}  // namespace

ChildRun run_child(const std::vector<std::string>& arguments, const std::filesystem::path& messages,
                   const std::function<Stop()>& stop) {
  const pid_t parent = getpid(), pid = fork();
  if (pid < 0) throw UserError("no further process can be started");
  if (pid == 0) become(arguments, messages, parent);
  int status = 0;
  Stop told = Stop::no;
  for (; waitpid(pid, &status, WNOHANG) != pid; std::this_thread::sleep_for(kPoll)) {
    const Stop asked = stop();
    if (asked == told || asked == Stop::no) continue;
    kill(pid, asked == Stop::at_once ? SIGKILL : SIGINT);
    told = asked;
  }
  return {WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status), last_line(messages)};
}

}  // namespace xgen::cli
