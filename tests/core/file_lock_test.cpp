#include "core/file_lock.h"

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <fstream>
#include <string>
#include <vector>

#include "core/error.h"
#include "tests/support/message.h"
#include "tests/support/temporary_folder.h"

namespace xgen {
namespace {

TEST(FileLock, OneProcessAtATimeChangesWhatItGuards) {
  const test::TemporaryFolder folder;
  const std::filesystem::path count = folder.path() / "count";
  std::ofstream(count) << 0;
  std::vector<pid_t> children;
  for (int i = 0; i < 4; ++i) {
    const pid_t pid = fork();
    if (pid == 0) {
      for (int n = 0; n < 200; ++n) {
        const FileLock lock(folder.path() / "lock");
        int value = 0;
        std::ifstream(count) >> value;
        std::ofstream(count) << value + 1;
      }
      _exit(0);
    }
    children.push_back(pid);
  }
  for (const pid_t pid : children) waitpid(pid, nullptr, 0);
  int value = 0;
  std::ifstream(count) >> value;
  EXPECT_EQ(value, 800);
}

TEST(FileLock, OfAKilledProcessIsFree) {
  const test::TemporaryFolder folder;
  const pid_t pid = fork();
  if (pid == 0) {
    const FileLock lock(folder.path() / "lock");
    kill(getpid(), SIGKILL);
  }
  waitpid(pid, nullptr, 0);
  const FileLock lock(folder.path() / "lock");
}

TEST(FileLock, IsWaitedForUntilTheUserStops) {
  const test::TemporaryFolder folder;
  const std::filesystem::path file = folder.path() / "lock";
  const FileLock held(file);
  int asked = 0;
  EXPECT_THROW(FileLock(file, [&] { return ++asked == 3; }), Interrupted);
  EXPECT_EQ(asked, 3);
}

TEST(FileLock, NamesTheFileThatCannotBeMade) {
  EXPECT_EQ(test::message_of([] { FileLock("/proc/none/lock"); }),
            "/proc/none/lock: cannot be made: No such file or directory");
}

}  // namespace
}  // namespace xgen
