#include "core/file_lock.h"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <cstring>
#include <thread>

#include "core/error.h"

namespace xgen {

FileLock::FileLock(const std::filesystem::path& file, const std::function<bool()>& stop)
    : descriptor_(open(file.c_str(), O_CREAT | O_RDWR | O_CLOEXEC, 0644)) {
  if (descriptor_ < 0)
    throw UserError(str(file.string(), ": cannot be made: ", std::strerror(errno)));
  constexpr std::chrono::milliseconds kPoll{20};
  int reason = 0;
  for (; flock(descriptor_, LOCK_EX | LOCK_NB) != 0; std::this_thread::sleep_for(kPoll)) {
    reason = errno;
    if ((reason != EWOULDBLOCK && reason != EINTR) || stop()) break;
    reason = 0;
  }
  if (reason == 0) return;
  close(descriptor_);
  if (reason == EWOULDBLOCK || reason == EINTR)
    throw Interrupted(file.string() + ": another process holds it; stopped waiting");
  throw UserError(str(file.string(), ": cannot be locked: ", std::strerror(reason)));
}

FileLock::~FileLock() { close(descriptor_); }

}  // namespace xgen
