(* The oracle: inverses and digits for the checker to confirm.  A wrong answer costs a valid certificate its verdict and
   can do no other harm, so whatever goes wrong here is answered by zeros. *)

let precisions = [| 32; 64; 128; 256; 512; 1024 |]
(* a precision above 64 is not tried beyond this many bit operations *)
let most_work = 1 lsl 32
let small = 24
let small_bits = 1 lsl 12

let zeros rows = List.map (List.map (fun _ -> Z.zero)) rows

(* Running out of memory ends the check, not only the proposal. *)
let attempt compute otherwise =
  try compute () with
  | (Out_of_memory | Limits.Memory) as error -> raise error
  | _ -> otherwise

let is_square size rows = List.for_all (fun row -> List.compare_length_with row size = 0) rows

let approximate_inverse number rows =
  let size = List.length rows in
  let nothing = (zeros rows, Z.one) in
  if size = 0 then ([], Z.one)
  else if not (is_square size rows) then nothing
  else
    attempt (fun () ->
      if number = 0 then
        if size <= small && List.for_all (List.for_all (fun value -> Z.numbits value <= small_bits)) rows
        then Exact_inverse.inverse rows
        else Float_inverse.inverse rows
      else if number > Array.length precisions then nothing
      else
        let precision = precisions.(number - 1) in
        if precision > 64 && size * size * size > most_work / precision then nothing
        else Fixed_point_inverse.inverse precision rows) nothing

let modular_inverse q rows =
  let size = List.length rows in
  if size = 0 then []
  else if not (is_square size rows) || Z.leq q Z.one then zeros rows
  else attempt (fun () -> Modular_inverse.inverse q rows) (zeros rows)

let base_above bound = Z.shift_left Z.one (Z.numbits bound + 1)
(* the base is a power of two *)
let digits base count r = attempt (fun () -> Packing.digits (Z.numbits base - 1) count r) []

let oracle = { Checker.approximate_inverse; modular_inverse; base_above; digits }

let on_cones cones form = attempt (fun () -> Cones.oracle cones form) Cones.nothing

(* the point that a square map sends to y; any other where there is none *)
let solve (piece : Checker.affine_piece) (y : Checker.point) : Checker.point =
  attempt (fun () ->
    let slopes = List.map List.tl piece.piece_forms and constants = List.map List.hd piece.piece_forms in
    let inverse, determinant = Exact_inverse.inverse slopes in
    let right = List.map2 (fun v b -> Z.sub (Z.mul v piece.piece_unit) (Z.mul b y.denominator)) y.numerators constants in
    let dot row = List.fold_left2 (fun sum u v -> Z.add sum (Z.mul u v)) Z.zero row right in
    { Checker.denominator = Z.mul determinant y.denominator; numerators = List.map dot inverse }) y

(* coprime integers, and the power of two that brings the largest between 1/2 and 1 (4.9) *)
let reduce numbers =
  attempt (fun () ->
    let divisor = List.fold_left Z.gcd Z.zero numbers in
    let divisor = if Z.sign divisor = 0 then Z.one else divisor in
    let reduced = List.map (fun number -> Z.divexact number divisor) numbers in
    let bits = List.fold_left (fun bits number -> max bits (Z.numbits number)) 0 reduced in
    ((divisor, reduced), Z.of_int (- bits))) ((Z.one, numbers), Z.zero)

let root_above square = attempt (fun () -> Interval_image.root_above square) Z.zero
let domain_of intervals = attempt (fun () -> Interval_image.domain_of intervals) Checker.AllSpace
