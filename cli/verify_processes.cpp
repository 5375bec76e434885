#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <map>

#include "cli/verify_folder.h"
#include "core/error.h"
#include "core/interrupt.h"

namespace xgen::cli {

namespace {

namespace fs = std::filesystem;

// Slower than any sane test; a process that hangs must not hold up the others for ever.
constexpr unsigned kSecondsPerFolder = 300;
// Less than a pipe holds, so that a child never waits for its reader.
constexpr std::size_t kLongestMessage = 16384;

// A folder for what children leave when they die; children inherit it as TMPDIR.
class Scratch {
 public:
  Scratch() {
    if (const char* old = std::getenv("TMPDIR"); old != nullptr) old_ = old;
    std::string pattern = (fs::temp_directory_path() / "xgen-verify-XXXXXX").string();
    if (mkdtemp(pattern.data()) == nullptr)
      throw UserError(str(pattern, ": cannot make a temporary folder: ", std::strerror(errno)));
    path_ = pattern;
    setenv("TMPDIR", path_.c_str(), 1);
  }
  ~Scratch() {
    if (old_.empty())
      unsetenv("TMPDIR");
    else
      setenv("TMPDIR", old_.c_str(), 1);
    std::error_code ignored;
    fs::remove_all(path_, ignored);
  }
  Scratch(const Scratch&) = delete;
  Scratch& operator=(const Scratch&) = delete;

 private:
  fs::path path_;
  std::string old_;
};

struct Child {
  std::size_t folder = 0;
  int pipe = -1;
};

[[noreturn]] void child_main(const fs::path& folder, const std::string& kernels, int pipe) {
  alarm(kSecondsPerFolder);
  std::string message;
  try {
    const FolderResult result = verify_folder(folder, kernels);
    message = result.status + "\n" + result.reason;
  } catch (const std::exception& error) {
    message = str("crashed\n", error.what());
  }
  message.resize(std::min(message.size(), kLongestMessage));
  const bool written =
      write(pipe, message.data(), message.size()) == static_cast<ssize_t>(message.size());
  _exit(written ? 0 : 1);
}

std::pair<pid_t, Child> start(const std::vector<fs::path>& folders, std::size_t at,
                              const std::string& kernels) {
  int ends[2];
  if (pipe(ends) != 0) throw UserError(str("cannot make a pipe: ", std::strerror(errno)));
  std::fflush(nullptr);  // or both processes print what is buffered
  const pid_t pid = fork();
  if (pid < 0) throw UserError(str("cannot start a process: ", std::strerror(errno)));
  if (pid == 0) {
    close(ends[0]);
    child_main(folders[at], kernels, ends[1]);
  }
  close(ends[1]);
  return {pid, {at, ends[0]}};
}

std::string read_all(int pipe) {
  std::string text;
  std::array<char, 4096> part{};
  for (;;) {
    const ssize_t got = read(pipe, part.data(), part.size());
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) break;
    text.append(part.data(), static_cast<std::size_t>(got));
  }
  close(pipe);
  return text;
}

FolderResult result_of(const fs::path& folder, int status, const std::string& message) {
  FolderResult result{folder.filename().string(), "crashed", ""};
  if (WIFSIGNALED(status)) {
    result.reason = WTERMSIG(status) == SIGALRM ? str("stopped after ", kSecondsPerFolder, " s")
                                                : str("died of ", strsignal(WTERMSIG(status)));
    return result;
  }
  const std::size_t end = message.find('\n');
  if (!WIFEXITED(status) || WEXITSTATUS(status) != 0 || end == std::string::npos) {
    result.reason = str("ended with status ", status);
    return result;
  }
  result.status = message.substr(0, end);
  result.reason = message.substr(end + 1);
  return result;
}

}  // namespace

std::vector<FolderResult> verify_folders(const std::vector<fs::path>& folders,
                                         const std::string& kernels, int jobs,
                                         const std::function<void(std::size_t)>& progress) {
  const Scratch scratch;
  std::vector<FolderResult> results(folders.size());
  std::map<pid_t, Child> running;
  std::size_t next = 0, done = 0;
  while (done < folders.size()) {
    while (next < folders.size() && running.size() < static_cast<std::size_t>(jobs))
      running.insert(start(folders, next++, kernels));
    int status = 0;
    const pid_t pid = wait(&status);
    if (interrupt_requested()) {
      for (const auto& [other, unused] : running) kill(other, SIGKILL);
      while (wait(nullptr) > 0) {
      }
      throw Interrupted(str("stopped after ", done, " of ", folders.size(), " folders"));
    }
    if (pid < 0 && errno == EINTR) continue;
    XGEN_CHECK(pid > 0, std::strerror(errno));
    const auto child = running.find(pid);
    if (child == running.end()) continue;
    results[child->second.folder] =
        result_of(folders[child->second.folder], status, read_all(child->second.pipe));
    running.erase(child);
    progress(++done);
  }
  return results;
}

}  // namespace xgen::cli
