#include <algorithm>
#include <cctype>
#include <charconv>
#include <sstream>

#include "core/error.h"
#include "train/data/read_file.h"
#include "train/data/readers.h"

namespace xgen::train {
namespace {

/// The integers of one line.
std::vector<std::int64_t> parse_line(const std::string& line, const std::string& where) {
  std::vector<std::int64_t> numbers;
  const char* at = line.data();
  const char* const end = at + line.size();
  while (true) {
    while (at != end && *at == ' ') ++at;
    std::int64_t number = 0;
    const auto [next, error] = std::from_chars(at, end, number);
    const bool separated = next == end || *next == ',' || *next == '.';
    if (error != std::errc() || !separated) {
      throw UserError(str(where, ": expected an integer in column ", numbers.size() + 1, ", got \"",
                          std::string(at, std::find(at, end, ',')), '"'));
    }
    at = next;
    // "5.0" is the integer 5, as programs that know only floating point write it.
    if (at != end && *at == '.') {
      const char* const digits = at + 1;
      at = std::find(at, end, ',');
      if (!std::all_of(digits, at, [](char c) { return c == '0'; })) {
        throw UserError(str(where, ": expected an integer in column ", numbers.size() + 1));
      }
    }
    numbers.push_back(number);
    if (at == end) return numbers;
    ++at;
  }
}

}  // namespace

ImageSet read_csv(const std::filesystem::path& path, const CsvOptions& options) {
  ImageSet set;
  set.channels = options.channels;
  set.height = options.height;
  set.width = options.width;
  set.decoder = "csv";
  const auto columns = static_cast<std::size_t>(set.image_size() + 1);
  std::istringstream in(read_maybe_compressed(path));
  std::string line;
  std::int64_t greatest = -1;
  for (int number = 1; std::getline(in, line); ++number) {
    while (!line.empty() && std::isspace(static_cast<unsigned char>(line.back())) != 0) {
      line.pop_back();
    }
    const bool heading =
        number == 1 && !line.empty() && std::isdigit(static_cast<unsigned char>(line[0])) == 0;
    if (line.empty() || heading) continue;
    const std::string where = str(path.string(), ":", number);
    std::vector<std::int64_t> row = parse_line(line, where);
    if (row.size() != columns) {
      throw UserError(str(where, ": expected ", columns, " columns (", set.channels, " x ",
                          set.height, " x ", set.width, " pixels and a label), found ",
                          row.size()));
    }
    const auto label_at = options.label_first ? row.begin() : row.end() - 1;
    const std::int64_t label = *label_at;
    constexpr std::int64_t kMaxClasses = 1'000'000;
    if (label < 0 || label >= (options.classes > 0 ? options.classes : kMaxClasses)) {
      throw UserError(
          str(where, ": label ", label, " is out of range",
              options.classes > 0 ? str("; the data have ", options.classes, " classes") : ""));
    }
    row.erase(label_at);
    for (const std::int64_t pixel : row) {
      if (pixel < 0 || pixel > 255) {
        throw UserError(str(where, ": expected pixels in 0..255, got ", pixel));
      }
      set.pixels.push_back(static_cast<std::uint8_t>(pixel));
    }
    set.labels.push_back(static_cast<std::int32_t>(label));
    greatest = std::max(greatest, label);
  }
  if (set.labels.empty()) throw UserError(str(path.string(), ": holds no samples"));
  const std::int64_t count = options.classes > 0 ? options.classes : greatest + 1;
  for (std::int64_t c = 0; c < count; ++c) set.class_names.push_back(str(c));
  return set;
}

}  // namespace xgen::train
