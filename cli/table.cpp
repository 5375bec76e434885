#include "cli/table.h"

#include <algorithm>
#include <array>
#include <cstdio>
#include <utility>

#include "core/error.h"

namespace xgen::cli {

Table::Table(std::vector<std::string> header) {
  for (std::string& title : header) {
    left_.push_back(!title.empty() && title.front() == '<');
    if (left_.back()) title.erase(0, 1);
  }
  rows_.push_back(std::move(header));
}

void Table::add(std::vector<std::string> cells) {
  XGEN_CHECK(cells.size() == left_.size(), cells.size(), " cells in ", left_.size(), " columns");
  rows_.push_back(std::move(cells));
}

std::string Table::text(int indent) const {
  std::vector<std::size_t> width(left_.size(), 0);
  for (const auto& row : rows_) {
    for (std::size_t c = 0; c < row.size(); ++c) width[c] = std::max(width[c], row[c].size());
  }
  std::string text;
  for (const auto& row : rows_) {
    std::string line(static_cast<std::size_t>(indent), ' ');
    for (std::size_t c = 0; c < row.size(); ++c) {
      const std::string fill(width[c] - row[c].size(), ' ');
      line += (c == 0 ? "" : "  ") + (left_[c] ? row[c] + fill : fill + row[c]);
    }
    line.erase(line.find_last_not_of(' ') + 1);
    text += line + "\n";
  }
  return text;
}

std::string grouped(long long number) {
  std::string digits = std::to_string(number < 0 ? -number : number);
  for (std::size_t at = digits.size(); at > 3; at -= 3) digits.insert(at - 3, ",");
  return (number < 0 ? "-" : "") + digits;
}

std::string bytes_text(double bytes) {
  if (bytes < 1000) return fixed_text(bytes, 0) + " B";
  if (bytes < 1e6) return fixed_text(bytes / 1e3, 1) + " kB";
  if (bytes < 1e9) return fixed_text(bytes / 1e6, 1) + " MB";
  return fixed_text(bytes / 1e9, 1) + " GB";
}

std::string fixed_text(double value, int digits) {
  std::array<char, 64> text{};
  std::snprintf(text.data(), text.size(), "%.*f", digits, value);
  return text.data();
}

}  // namespace xgen::cli
