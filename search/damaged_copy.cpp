#include "search/damaged_copy.h"

#include <fstream>
#include <iterator>
#include <string>

#include "core/atomic_file.h"

namespace xgen::search {

namespace {

std::filesystem::path log_of(const std::filesystem::path& file) { return file.string() + "-wal"; }

// Nothing where there is no such file.
std::string bytes_of(const std::filesystem::path& file) {
  std::ifstream stream(file, std::ios::binary);
  return {std::istreambuf_iterator<char>(stream), {}};
}

}  // namespace

std::filesystem::path keep_damaged_copy(const std::filesystem::path& file) {
  const std::string bytes = bytes_of(file), log = bytes_of(log_of(file));
  for (int i = 1;; ++i) {
    std::filesystem::path copy = file.string() + ".damaged" + (i == 1 ? "" : std::to_string(i));
    if (!std::filesystem::exists(copy)) {
      // The log first: a copy that is there is whole.
      if (!log.empty()) write_atomically(log_of(copy), log);
      write_atomically(copy, bytes);
      return copy;
    }
    if (bytes_of(copy) == bytes && bytes_of(log_of(copy)) == log) return copy;
  }
}

}  // namespace xgen::search
