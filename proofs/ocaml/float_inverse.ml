(* An approximate inverse in floating point, rounded to integers: quick, and good enough for most matrices.
   The rows are reduced one after the other by the ones before, four at a time, the columns being exchanged so that the
   largest entry leads; then the unknowns are solved for from the last to the first. *)

exception Singular

(* value * 2^-shift *)
let scaled value shift =
  let bits = Z.numbits value in
  let cut = if bits > 62 then bits - 62 else 0 in
  let top = if cut = 0 then value else Z.shift_right value cut in
  let by = cut - shift in
  if by < -2000 then 0. else ldexp (float_of_int (Z.to_int top)) by

(* a - f0 u0 - f1 u1 - f2 u2 - f3 u3 from one place up to another; all arrays are at least `stop` long *)
let subtract_four (a : float array) f0 (u0 : float array) f1 (u1 : float array) f2 (u2 : float array) f3 (u3 : float array) start stop =
  if stop > Array.length a || stop > Array.length u0 || stop > Array.length u1 || stop > Array.length u2
     || stop > Array.length u3 || start < 0
  then invalid_arg "subtract_four";
  for j = start to stop - 1 do
    Array.unsafe_set a j
      (Array.unsafe_get a j -. f0 *. Array.unsafe_get u0 j -. f1 *. Array.unsafe_get u1 j
       -. f2 *. Array.unsafe_get u2 j -. f3 *. Array.unsafe_get u3 j)
  done

let subtract (a : float array) f (u : float array) start stop =
  for j = start to stop - 1 do a.(j) <- a.(j) -. f *. u.(j) done

(* the inverse of a square matrix of floats, which is overwritten *)
let of_floats (matrix : float array array) =
  let size = Array.length matrix in
  (* row i of `left` is what row i of the unit matrix has become: the first i + 1 entries are not zero *)
  let left = Array.init size (fun i -> let row = Array.make size 0. in row.(i) <- 1.; row) in
  let order = Array.init size (fun j -> j) in
  for i = 0 to size - 1 do
    let a = matrix.(i) and l = left.(i) in
    let k = ref 0 in
    while !k + 4 <= i do
      let k0 = !k in
      let u0 = matrix.(k0) and u1 = matrix.(k0 + 1) and u2 = matrix.(k0 + 2) and u3 = matrix.(k0 + 3) in
      let f0 = a.(k0) in
      let f1 = a.(k0 + 1) -. f0 *. u0.(k0 + 1) in
      let f2 = a.(k0 + 2) -. f0 *. u0.(k0 + 2) -. f1 *. u1.(k0 + 2) in
      let f3 = a.(k0 + 3) -. f0 *. u0.(k0 + 3) -. f1 *. u1.(k0 + 3) -. f2 *. u2.(k0 + 3) in
      subtract_four a f0 u0 f1 u1 f2 u2 f3 u3 (k0 + 4) size;
      subtract_four l f0 left.(k0) f1 left.(k0 + 1) f2 left.(k0 + 2) f3 left.(k0 + 3) 0 (k0 + 4);
      k := k0 + 4
    done;
    while !k < i do
      let f = a.(!k) in
      subtract a f matrix.(!k) (!k + 1) size;
      subtract l f left.(!k) 0 (!k + 1);
      incr k
    done;
    let pivot = ref i in
    for j = i + 1 to size - 1 do if abs_float a.(j) > abs_float a.(!pivot) then pivot := j done;
    let head = a.(!pivot) in
    if not (abs_float head > 0.) then raise Singular;
    if !pivot <> i then begin
      let p = !pivot in
      for r = 0 to size - 1 do
        let row = matrix.(r) in
        let value = row.(i) in
        row.(i) <- row.(p);
        row.(p) <- value
      done;
      let value = order.(i) in
      order.(i) <- order.(p);
      order.(p) <- value
    end;
    for j = i + 1 to size - 1 do a.(j) <- a.(j) /. head done;
    for j = 0 to i do l.(j) <- l.(j) /. head done
  done;
  for i = size - 2 downto 0 do
    let a = matrix.(i) and l = left.(i) in
    let k = ref (i + 1) in
    while !k + 4 <= size do
      let k0 = !k in
      subtract_four l a.(k0) left.(k0) a.(k0 + 1) left.(k0 + 1) a.(k0 + 2) left.(k0 + 2) a.(k0 + 3) left.(k0 + 3) 0 size;
      k := k0 + 4
    done;
    while !k < size do
      subtract l a.(!k) left.(!k) 0 size;
      incr k
    done
  done;
  let inverse = Array.make size [||] in
  Array.iteri (fun i j -> inverse.(j) <- left.(i)) order;
  inverse

let rounded (value : float) =
  if abs_float value < 4e15 then Z.of_int (int_of_float (if value >= 0. then value +. 0.5 else value -. 0.5))
  else if abs_float value <= max_float then Z.of_float value
  else Z.zero

(* Q and D with Q * rows close to D I *)
let inverse rows =
  let matrix = Array.of_list (List.map Array.of_list rows) in
  let size = Array.length matrix in
  let scales = Scaling.of_matrix matrix in
  let floats = Array.mapi (fun i row ->
    Array.mapi (fun j value -> scaled value (scales.rows.(i) + scales.columns.(j))) row) matrix in
  let inverse = of_floats floats in
  (* Entry i of a row of Q is a multiple of 2^(top - rows_i), so that what is lost is the same for every row of the matrix;
     with this precision its sum over a row stays small beside D. *)
  let precision = 8 + int_of_float (1.5 *. log (float_of_int (size + 1)) /. log 2.) in
  let top = Scaling.maximum scales.rows and widest = Scaling.maximum scales.columns in
  let row_of j =
    let by = precision + widest - scales.columns.(j) in
    List.init size (fun i -> Z.shift_left (rounded (ldexp inverse.(j).(i) by)) (top - scales.rows.(i))) in
  (List.init size row_of, Z.shift_left Z.one (precision + top + widest))
