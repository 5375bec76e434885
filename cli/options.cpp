#include "cli/options.h"

#include <cctype>
#include <charconv>
#include <utility>

#include "core/error.h"

namespace xgen::cli {

namespace {

// "NAME=VALUE" at the last "=", because a name may contain one.
std::pair<std::string, std::string> split(const std::string& word, const char* option,
                                          const char* value) {
  const std::size_t at = word.rfind('=');
  if (at == std::string::npos || at == 0 || at + 1 == word.size())
    throw UserError(str(option, ": expected NAME=", value, ", got \"", word, "\""));
  return {word.substr(0, at), word.substr(at + 1)};
}

}  // namespace

std::map<std::string, std::int64_t> parse_dims(const std::vector<std::string>& words) {
  std::map<std::string, std::int64_t> dims;
  for (const std::string& word : words) {
    const auto [name, text] = split(word, "--dim", "N");
    std::int64_t size = 0;
    const auto read = std::from_chars(text.data(), text.data() + text.size(), size);
    if (read.ec != std::errc() || read.ptr != text.data() + text.size() || size < 1)
      throw UserError(str("--dim ", name, ": expected a whole number above 0, got \"", text, "\""));
    if (!dims.emplace(name, size).second) throw UserError(str("--dim ", name, ": given twice"));
  }
  return dims;
}

std::map<std::string, std::filesystem::path> parse_inputs(const std::vector<std::string>& words) {
  std::map<std::string, std::filesystem::path> inputs;
  for (const std::string& word : words) {
    // At the first "=", because file names may contain one.
    const std::size_t at = word.find('=');
    if (at == std::string::npos || at == 0 || at + 1 == word.size())
      throw UserError(str("--input: expected NAME=FILE.npy, got \"", word, "\""));
    const std::string name = word.substr(0, at);
    if (!inputs.emplace(name, word.substr(at + 1)).second)
      throw UserError(str("--input ", name, ": given twice"));
  }
  return inputs;
}

void check_threads(int threads) {
  if (threads != 1)
    throw UserError(
        str("--threads: generated kernels run on one thread; expected 1, got ", threads));
}

std::string file_safe(const std::string& name) {
  std::string safe;
  for (const char c : name) {
    const bool plain = std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '-' || c == '_' ||
                       (c == '.' && !safe.empty());
    safe += plain ? c : '_';
  }
  return safe.empty() ? "_" : safe;
}

}  // namespace xgen::cli
