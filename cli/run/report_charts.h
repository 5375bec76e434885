#pragma once

#include <optional>
#include <string>
#include <vector>

/// SVG charts for the report, drawn for a width of about 480 px. Colours are the page's CSS classes
/// s0, s1, ... so that they follow light and dark; every mark has a title, which browsers show on
/// hovering. Texts are escaped here.
namespace xgen::cli {

/// `&`, `<`, `>` and quotes as HTML entities; bytes that are no UTF-8 become U+FFFD.
std::string escaped(const std::string& text);

struct Point {
  double x = 0;
  double y = 0;
  std::string title;         ///< shown on hovering.
  bool starts_line = false;  ///< not joined with the point before it.
};

struct Series {
  std::string name;
  std::vector<Point> points;
};

/// A span of the x axis with a name: one stage of a run.
struct Span {
  double from = 0;
  double to = 0;
  std::string name;
};

struct LineChart {
  std::string title;
  std::string x_label;
  bool y_in_percent = false;  ///< y is a share of 1.
  std::vector<Series> series;
  std::vector<Span> spans;
};

/// Lines over a common x axis; "" without any point. The y axis is cut to what the lines need.
std::string line_chart(const LineChart& chart);

struct ScatterChart {
  std::string title;
  std::string x_label;
  std::string y_label;
  bool y_in_percent = false;
  bool less_y_is_better = false;
  std::vector<Point> points;  ///< titles are labels beside the points, too.
  std::vector<Point> beside;  ///< drawn faintly, without labels: they do not compete.
  bool only_front_labelled = false;
};

/// Points with the front of those that no other beats in both x (less is better) and y.
std::string scatter_chart(const ScatterChart& chart);

/// A cell with a bar behind its text. @param share  of the bar, from 0 to 1. @param lost  for one
/// that is no gain.
std::string meter(double share, const std::string& shown, bool lost = false);

/// Round numbers that cover [low, high], about `wanted` of them.
std::vector<double> axis_ticks(double low, double high, int wanted);

}  // namespace xgen::cli
