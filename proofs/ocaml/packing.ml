(* A row of integers as one integer, its fields wide enough that no two touch: a row operation is then one product.
   Nothing here is trusted: the checker compares the digits it gets with the number they are of. *)

(* The sum of 2^(step (i + 1) - 1) over i < count: added, it makes every field non-negative. *)
let bias =
  let known = Hashtbl.create 16 in
  fun count step ->
    match Hashtbl.find_opt known (count, step) with
    | Some found -> found
    | None ->
        (* 2^step - 1 divides 2^(step count) - 1 *)
        let ones = Z.divexact (Z.pred (Z.shift_left Z.one (step * count))) (Z.pred (Z.shift_left Z.one step)) in
        let found = Z.shift_left ones (step - 1) in
        if Hashtbl.length known > 64 then Hashtbl.reset known;
        Hashtbl.replace known (count, step) found;
        found

(* the integer with these fields of `step` bits, a multiple of 8; each below 2^(step - 1) in absolute value *)
let pack step values =
  let count = Array.length values and bytes = step / 8 in
  let half = Z.shift_left Z.one (step - 1) in
  let buffer = Bytes.make (count * bytes) '\000' in
  Array.iteri (fun i value ->
    let digits = Z.to_bits (Z.add value half) in
    Bytes.blit_string digits 0 buffer (i * bytes) (min bytes (String.length digits))) values;
  Z.sub (Z.of_bits (Bytes.unsafe_to_string buffer)) (bias count step)

(* field number `place` of an integer to which the bias has been added *)
let field step half biased place = Z.sub (Z.extract biased (place * step) step) half

(* the fields of an integer, lowest first *)
let unpack step count packed =
  let biased = Z.add packed (bias count step) in
  let half = Z.shift_left Z.one (step - 1) in
  Array.init count (field step half biased)

(* the digits of either sign of r in base 2^step *)
let digits step count r = if step < 1 || count = 0 then [] else Array.to_list (unpack step count r)
