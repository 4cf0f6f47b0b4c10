(* The inverse of a small matrix, exactly: its adjugate and its determinant, by elimination without fractions (Bareiss). *)

exception Singular

(* Q and D > 0 with Q * rows = D I *)
let inverse rows =
  let size = List.length rows in
  let a = Array.of_list (List.mapi (fun i row ->
    let unit = Array.init size (fun j -> if i = j then Z.one else Z.zero) in
    Array.append (Array.of_list row) unit) rows) in
  let previous = ref Z.one in
  for k = 0 to size - 1 do
    let rec pivot i = if i = size then raise Singular else if Z.sign a.(i).(k) <> 0 then i else pivot (i + 1) in
    let i = pivot k in
    let row = a.(i) in
    a.(i) <- a.(k);
    a.(k) <- row;
    let head = row.(k) in
    for i = 0 to size - 1 do
      if i <> k then begin
        let factor = a.(i).(k) in
        a.(i) <- Array.mapi (fun j value ->
          Z.divexact (Z.sub (Z.mul head value) (Z.mul factor row.(j))) !previous) a.(i)
      end
    done;
    previous := head
  done;
  (* the left half is now head * I *)
  let sign = if Z.sign !previous < 0 then Z.neg else fun value -> value in
  (List.init size (fun i -> List.init size (fun j -> sign a.(i).(size + j))), Z.abs !previous)
