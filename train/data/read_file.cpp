#include "train/data/read_file.h"

#include <zlib.h>

#include <array>
#include <cerrno>
#include <cstring>

#include "core/error.h"

namespace xgen::train {

std::string read_maybe_compressed(const std::filesystem::path& path) {
  if (std::filesystem::is_directory(path)) {
    throw UserError(str(path.string(), ": expected a file, found a folder"));
  }
  const gzFile file = gzopen(path.c_str(), "rb");  // reads plain files as they are
  if (file == nullptr) {
    throw UserError(str(path.string(), ": cannot be opened: ", std::strerror(errno)));
  }
  std::string bytes;
  std::array<char, 1 << 16> buffer{};
  int n = 0;
  while ((n = gzread(file, buffer.data(), buffer.size())) > 0) {
    bytes.append(buffer.data(), static_cast<std::size_t>(n));
  }
  // A file that ends early is only noticed when it is closed.
  const int closed = gzclose_r(file);
  if (n < 0 || closed != Z_OK) {
    throw UserError(str(path.string(), ": the compressed data are truncated or damaged"));
  }
  return bytes;
}

}  // namespace xgen::train
