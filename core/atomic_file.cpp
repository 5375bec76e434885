#include "core/atomic_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <string>

#include "core/error.h"

namespace xgen {
namespace {

// Six characters of mkostemp follow.
constexpr std::string_view kSuffix = ".tmp-";

/// A temporary file that is removed unless it was renamed.
class Temporary {
 public:
  explicit Temporary(const std::filesystem::path& target)
      : target_(target), name_(target.string() + std::string(kSuffix) + "XXXXXX") {
    descriptor_ = mkostemp(name_.data(), O_CLOEXEC);
    if (descriptor_ < 0) fail();
  }
  Temporary(const Temporary&) = delete;
  Temporary& operator=(const Temporary&) = delete;
  ~Temporary() {
    if (descriptor_ >= 0) close(descriptor_);
    if (!renamed_) unlink(name_.c_str());
  }

  void write(std::string_view bytes) {
    while (!bytes.empty()) {
      const ssize_t n = ::write(descriptor_, bytes.data(), bytes.size());
      if (n < 0 && errno == EINTR) continue;
      if (n < 0) fail();
      bytes.remove_prefix(static_cast<std::size_t>(n));
    }
  }

  void rename() {
    // mkostemp makes files that only the owner may read.
    const mode_t mask = umask(0);
    umask(mask);
    if (fchmod(descriptor_, 0666 & ~mask) != 0 || fsync(descriptor_) != 0 ||
        ::rename(name_.c_str(), target_.c_str()) != 0) {
      fail();
    }
    renamed_ = true;
    const std::filesystem::path folder = target_.has_parent_path() ? target_.parent_path() : ".";
    const int opened = open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (opened >= 0) {
      fsync(opened);  // some file systems cannot; the file itself is safe
      close(opened);
    }
  }

 private:
  [[noreturn]] void fail() const {
    throw UserError(str(target_.string(), ": cannot be written: ", std::strerror(errno)));
  }

  const std::filesystem::path& target_;
  std::string name_;
  int descriptor_ = -1;
  bool renamed_ = false;
};

}  // namespace

void write_atomically(const std::filesystem::path& path, std::string_view bytes) {
  if (path.has_parent_path()) {
    std::error_code error;
    std::filesystem::create_directories(path.parent_path(), error);
    if (error) throw UserError(str(path.string(), ": cannot be written: ", error.message()));
  }
  Temporary file(path);
  file.write(bytes);
  file.rename();
}

void remove_unfinished(const std::filesystem::path& folder) {
  std::error_code error;
  std::filesystem::directory_iterator entries(folder, error);
  if (error) return;
  for (const auto& entry : entries) {
    const std::string name = entry.path().filename().string();
    if (name.size() > kSuffix.size() + 6 &&
        name.compare(name.size() - kSuffix.size() - 6, kSuffix.size(), kSuffix) == 0)
      std::filesystem::remove(entry.path(), error);
  }
}

}  // namespace xgen
