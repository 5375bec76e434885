#include <sstream>

#include "tests/cli/verbs_fixture.h"

namespace xgen::cli {
namespace {

class LibrarySettings : public VerbsFixture {
 protected:
  // What OpenBLAS said of itself when it was loaded last; nothing where there is none.
  std::string core(const std::string& environment) const {
    const Said said =
        talking("--version", "env -u OMP_WAIT_POLICY " + environment + " OPENBLAS_VERBOSE=2");
    EXPECT_EQ(said.code, 0) << said.err;
    std::istringstream lines(said.err);
    std::string core;
    for (std::string line; std::getline(lines, line);)
      if (line.rfind("Core: ", 0) == 0) core = line.substr(6);
    return core;
  }
};

TEST_F(LibrarySettings, MatrixProductsUseTheVectorsThatTheCpuHas) {
  if (core("-u OPENBLAS_CORETYPE").empty()) GTEST_SKIP() << "LibTorch is not with OpenBLAS";
#if defined(__x86_64__)
  if (__builtin_cpu_supports("avx2") == 0) GTEST_SKIP() << "an old CPU";
  EXPECT_NE(core("-u OPENBLAS_CORETYPE"), "Prescott");
  EXPECT_EQ(core("OPENBLAS_CORETYPE=Prescott"), "Prescott") << "who sets it decides";
#endif
}

}  // namespace
}  // namespace xgen::cli
