#pragma once

#include <filesystem>

namespace xgen {

/// Holds a file, which it makes, for this process alone as long as it lives: of several processes
/// one goes on, the others wait. A process that is killed lets go of it.
class FileLock {
 public:
  /// @throws UserError naming the file where it cannot be made or locked.
  explicit FileLock(const std::filesystem::path& file);
  ~FileLock();
  FileLock(const FileLock&) = delete;
  FileLock& operator=(const FileLock&) = delete;

 private:
  int descriptor_;
};

}  // namespace xgen
