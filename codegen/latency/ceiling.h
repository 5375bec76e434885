#pragma once

namespace xgen::latency {

/// The most operations per second that one core does, two per multiply-add; 0 where it cannot tell.
struct Ceiling {
  double fp32 = 0;
  double int8 = 0;
};

/// Independent multiply-adds on registers alone, about 20 ms each.
Ceiling measure_ceiling();

}  // namespace xgen::latency
