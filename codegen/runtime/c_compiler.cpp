#include "codegen/runtime/c_compiler.h"

#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <sstream>

#include "core/error.h"
#include "core/sha256.h"

namespace xgen {

namespace {

namespace fs = std::filesystem;

struct Outcome {
  int status = 0;
  std::string output;
};

Outcome run(const std::string& command) {
  Outcome outcome;
  FILE* pipe = popen((command + " 2>&1").c_str(), "r");
  if (pipe == nullptr) throw UserError(str("cannot start a shell for: ", command));
  std::array<char, 4096> part{};
  std::size_t got = 0;
  while ((got = fread(part.data(), 1, part.size(), pipe)) > 0)
    outcome.output.append(part.data(), got);
  outcome.status = pclose(pipe);
  return outcome;
}

std::string quote(const fs::path& path) {
  std::string text = "'";
  for (const char c : path.string()) {
    if (c == '\'')
      text += "'\\''";
    else
      text += c;
  }
  return text + "'";
}

std::string read(const fs::path& path) {
  std::ifstream file(path, std::ios::binary);
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

fs::path default_cache() {
  if (const char* cache = std::getenv("XDG_CACHE_HOME"); cache != nullptr && *cache != '\0')
    return fs::path(cache) / "xgen";
  if (const char* home = std::getenv("HOME"); home != nullptr && *home != '\0')
    return fs::path(home) / ".cache" / "xgen";
  return {};
}

}  // namespace

std::string host_compiler() {
  const char* cc = std::getenv("CC");
  return cc != nullptr && *cc != '\0' ? cc : "cc";
}

CCompiler::CCompiler(std::string command, fs::path cache)
    : command_(std::move(command)), cache_(cache.empty() ? default_cache() : std::move(cache)) {
  const Outcome outcome = run(command_ + " --version");
  if (outcome.status != 0) {
    throw UserError(str("no C compiler: \"", command_,
                        "\" does not run; install one, or name it in the environment variable CC"));
  }
  version_ = outcome.output.substr(0, outcome.output.find('\n'));
  std::error_code ignored;
  if (!cache_.empty() && !fs::create_directories(cache_, ignored) &&
      !fs::is_directory(cache_, ignored))
    cache_.clear();
}

void CCompiler::build_library(const fs::path& folder, const std::vector<std::string>& sources,
                              const fs::path& output) const {
  const std::string flags = str(kCFlags, " -fPIC -Wall -Wextra");
  std::string headers;
  std::vector<fs::path> entries(fs::directory_iterator(folder), {});
  std::sort(entries.begin(), entries.end());
  for (const fs::path& entry : entries) {
    if (entry.extension() == ".h") headers += read(entry);
  }
  std::string objects;
  for (const std::string& source : sources) {
    const std::string key =
        sha256_hex(str(version_, "\n", flags, "\n", headers, "\n", read(folder / source)));
    const fs::path object = (cache_.empty() ? folder : cache_) / (key.substr(0, 40) + ".o");
    if (!fs::exists(object)) {
      // Another process may build the same object: each writes its own file, the rename is atomic.
      const fs::path own = object.string() + str(".", getpid());
      const Outcome outcome =
          run(str(command_, " ", flags, " -c -o ", quote(own), " ", quote(folder / source)));
      if (outcome.status != 0) {
        fs::remove(own);
        throw UserError(str("\"", command_, "\" cannot compile ", (folder / source).string(), ":\n",
                            outcome.output));
      }
      fs::rename(own, object);
    }
    objects += " " + quote(object);
  }
  const Outcome outcome =
      run(str(command_, " ", flags, " -shared -s -o ", quote(output), objects, " -lm"));
  if (outcome.status != 0)
    throw UserError(str("\"", command_, "\" cannot link ", output.string(), ":\n", outcome.output));
}

}  // namespace xgen
