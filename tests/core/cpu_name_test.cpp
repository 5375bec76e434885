#include "core/cpu_name.h"

#include <gtest/gtest.h>

#include <sstream>

namespace xgen {
namespace {

std::string name_of(const std::string& text) {
  std::istringstream info(text);
  return cpu_name(info);
}

TEST(CpuName, TellsCpusOfOneNameApartByTheirNumbers) {
  EXPECT_EQ(name_of("processor\t: 0\nvendor_id\t: AuthenticAMD\ncpu family\t: 26\nmodel\t\t: 2\n"
                    "model name\t: AMD EPYC\n\nprocessor\t: 1\nmodel name\t: another\n"),
            "AMD EPYC, family 26, model 2");
}

TEST(CpuName, IsAnArmCpusNumbers) {
  EXPECT_EQ(name_of("processor\t: 0\nCPU implementer\t: 0x41\nCPU part\t: 0xd0c\n"),
            "CPU implementer 0x41, part 0xd0c");
}

TEST(CpuName, IsUnknownWhereNothingIsSaid) {
  EXPECT_EQ(name_of(""), "unknown");
  EXPECT_EQ(name_of("model name\t:\n"), "unknown");
}

}  // namespace
}  // namespace xgen
