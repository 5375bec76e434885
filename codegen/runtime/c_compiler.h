#pragma once

#include <filesystem>
#include <string>
#include <vector>

namespace xgen {

/// The flags of every build line that xgen emits: exact integer results need no contraction.
inline constexpr const char* kCFlags = "-std=c11 -O2 -ffp-contract=off";

/// The C compiler of this machine: $CC, else cc.
std::string host_compiler();

/// Compiles C files to one shared library without symbols of its own, each object cached by the
/// hash of its text, its headers, the compiler's version and the flags.
class CCompiler {
 public:
  /// @param cache  folder of objects; empty: $XDG_CACHE_HOME/xgen or ~/.cache/xgen, else none.
  /// @throws UserError when the compiler does not run.
  explicit CCompiler(std::string command, std::filesystem::path cache = {});

  const std::string& command() const { return command_; }
  /// First line of `cc --version`.
  const std::string& version() const { return version_; }

  /// @param folder   with the headers that `sources` include.
  /// @param sources  file names in `folder`.
  /// @throws UserError with the compiler's words when it fails.
  void build_library(const std::filesystem::path& folder, const std::vector<std::string>& sources,
                     const std::filesystem::path& output) const;

 private:
  std::string command_, version_;
  std::filesystem::path cache_;
};

}  // namespace xgen
