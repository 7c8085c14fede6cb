#pragma once

namespace dspark {

struct Turn {
  double cosine = 1;
  double sine = 0;
};

/// Of an angle in radians, |angle| <= 1e6: error below 1e-11, the same bits everywhere (libm's differ with
/// its version).
Turn turn_by(double angle);

}  // namespace dspark
