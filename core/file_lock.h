#pragma once

#include <filesystem>
#include <functional>

#include "core/interrupt.h"

namespace xgen {

/// Holds a file, which it makes, for this process alone as long as it lives: of several processes
/// one goes on, the others wait. A process that is killed lets go of it.
class FileLock {
 public:
  /// @param stop  asked while others hold the file: whether to wait no longer.
  /// @throws UserError naming the file where it cannot be made or locked, Interrupted when `stop`
  /// says so.
  explicit FileLock(const std::filesystem::path& file,
                    const std::function<bool()>& stop = interrupt_requested);
  ~FileLock();
  FileLock(const FileLock&) = delete;
  FileLock& operator=(const FileLock&) = delete;

 private:
  int descriptor_;
};

}  // namespace xgen
