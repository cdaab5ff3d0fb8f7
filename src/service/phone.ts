/** A land line with area code, a mobile phone, or a 400/95 service number; groups and an extension allowed. */
export const phonePattern =
  /^(\+?86[- ]?)?(0\d{2,3}[- ]?\d{7,8}|1[3-9]\d[- ]?\d{4}[- ]?\d{4}|400[- ]?\d{3}[- ]?\d{4}|95\d{3,6}|\d{7,8})([-转,]\d{1,6})?$/;
