(* The other oracle: why a form is not negative on a cone, for the checker to confirm.  Forms are lists b, a1, .., an; a cone is where
   some of them, with independent slopes a, are not negative.  A wrong answer costs a valid certificate its verdict and can do no other
   harm. *)

(* the rows; columns in which their slopes are independent; T with (slopes in these columns) T = head I, head > 0 *)
type prepared = { rows : Z.t array array; columns : int array; inverse : Z.t array array; head : Z.t }

(* Elimination without fractions (Bareiss); None if the slopes are not independent. *)
let prepare cone =
  let rows = Array.of_list (List.map Array.of_list cone) in
  let size = Array.length rows in
  let width = if size = 0 then 0 else Array.length rows.(0) - 1 in
  let work = Array.mapi (fun i row ->
    Array.append (Array.sub row 1 width) (Array.init size (fun j -> if i = j then Z.one else Z.zero))) rows in
  let columns = Array.make size 0 and previous = ref Z.one in
  let rec leading row j = if j = width then raise Not_found else if Z.sign row.(j) <> 0 then j else leading row (j + 1) in
  let eliminate k =
    let row = work.(k) in
    let column = leading row 0 in
    let head = row.(column) in
    columns.(k) <- column;
    Array.iteri (fun i other ->
      if i <> k then
        let factor = other.(column) in
        work.(i) <- Array.mapi (fun j value -> Z.divexact (Z.sub (Z.mul head value) (Z.mul factor row.(j))) !previous) other) work;
    previous := head in
  match List.iter eliminate (List.init size Fun.id) with
  | exception Not_found -> None
  | () ->
      let sign value = if Z.sign !previous < 0 then Z.neg value else value in
      Some { rows; columns; inverse = Array.map (fun row -> Array.map sign (Array.sub row width size)) work; head = Z.abs !previous }

let sum count term =
  let total = ref Z.zero in
  for k = 0 to count - 1 do total := Z.add !total (term k) done;
  !total

(* m >= 0 with head * form = sum of m_i row_i + a number >= 0 *)
let multipliers form { rows; columns; inverse; head } =
  let size = Array.length rows in
  let multiplier i = sum size (fun k -> Z.mul form.(columns.(k) + 1) inverse.(k).(i)) in
  let rec all i found =
    if i < 0 then Some (Array.of_list found)
    else
      let m = multiplier i in
      if Z.sign m < 0 then None else all (i - 1) (m :: found) in
  match all (size - 1) [] with
  | None -> None
  | Some found ->
      let left j = Z.sub (Z.mul head form.(j)) (sum size (fun i -> Z.mul found.(i) rows.(i).(j))) in
      let rec is_flat j = j = Array.length form || (Z.sign (left j) = 0 && is_flat (j + 1)) in
      if Z.sign (left 0) >= 0 && is_flat 1 then Some (Array.to_list found) else None

let nothing = (0, (Z.zero, []))

(* The cones of one cell are asked about many forms, one after the other. *)
let asked = ref [] and prepared = ref [||]

let oracle cones form =
  if cones != !asked then begin
    asked := cones;
    prepared := Array.of_list (List.map (fun cone -> lazy (prepare cone)) cones)
  end;
  let form = Array.of_list form in
  let rec from i =
    if i = Array.length !prepared then nothing
    else
      match Lazy.force !prepared.(i) with
      | None -> from (i + 1)
      | Some cone ->
          match multipliers form cone with
          | Some found -> (i, (cone.head, found))
          | None -> from (i + 1) in
  if cones = [] then nothing else from 0
