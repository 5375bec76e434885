#pragma once

#include <string>
#include <vector>

namespace xgen::cli {

/// Text in columns, two blanks apart; for people, on stdout.
class Table {
 public:
  /// @param header  titles; one that begins with '<' aligns its column to the left, others to the
  ///                right, as numbers want it.
  explicit Table(std::vector<std::string> header);
  /// @param cells  as many as there are titles.
  void add(std::vector<std::string> cells);
  /// Every line with `indent` blanks before it and none at its end.
  std::string text(int indent = 0) const;

 private:
  std::vector<bool> left_;
  std::vector<std::vector<std::string>> rows_;
};

/// "12,345,678"
std::string grouped(long long number);
/// "734 B", "1.2 kB", "3.4 MB": powers of 1000.
std::string bytes_text(double bytes);
/// With `digits` after the point.
std::string fixed_text(double value, int digits);

}  // namespace xgen::cli
