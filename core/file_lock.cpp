#include "core/file_lock.h"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "core/error.h"

namespace xgen {

FileLock::FileLock(const std::filesystem::path& file)
    : descriptor_(open(file.c_str(), O_CREAT | O_RDWR | O_CLOEXEC, 0644)) {
  if (descriptor_ < 0)
    throw UserError(str(file.string(), ": cannot be made: ", std::strerror(errno)));
  int locked = 0;
  do locked = flock(descriptor_, LOCK_EX);
  while (locked != 0 && errno == EINTR);
  if (locked == 0) return;
  const int reason = errno;
  close(descriptor_);
  throw UserError(str(file.string(), ": cannot be locked: ", std::strerror(reason)));
}

FileLock::~FileLock() { close(descriptor_); }

}  // namespace xgen
