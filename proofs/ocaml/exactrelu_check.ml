(* The command `exactrelu-check PATH...`: every certificate among the paths is read, given its network, and judged by the
   functions `check`, `check_through`, .. that were extracted from the Coq sources.  One line a certificate; exit code 0: there is
   at least one and all are valid, 1: one is not, 2: nothing was found, or something cannot be read.  A certificate of a kind
   that is not read yet is unknown: not valid, and nothing is said against it. *)

type verdict = Valid of string | Unknown of string | Invalid of string

(* No exception is ever a proof. *)
let guarded judge =
  let failed reason = Invalid ("could not be checked: " ^ reason) in
  try Limits.within judge failed with
  | Text.Rejected reason -> Invalid reason
  | Text.Unknown reason -> Unknown reason
  | Files.Unusable reason -> failed reason
  | error -> failed (Printexc.to_string error)

(* the network that a certificate names; "" if the format is broken before, which reading it in full will say *)
let network_named path =
  match Certificate_file.read_header (Text.of_string (Files.contents path)) with
  | sha256 -> sha256
  | exception (Text.Rejected _ | Files.Unusable _) -> ""

type network = Missing | Broken of string | Network of Network_file.t

let load networks sha256 =
  match Hashtbl.find_opt networks sha256 with
  | None -> Missing
  | Some path ->
      let text = Files.network_text path in
      Files.forget_text ();
      match text with
      | Some (found, bytes) when found = sha256 ->
          let failed reason = Broken ("section 2: the network could not be read: " ^ reason) in
          (try Limits.within (fun () -> Network (Network_file.read bytes)) failed with Text.Rejected reason -> Broken reason)
      | _ -> Missing

let check_file path sha256 network =
  guarded (fun () ->
    let text = Text.of_string (Files.contents path) in
    (* the file may be another one than when the network was looked for *)
    if Certificate_file.read_header text <> sha256 then Invalid "section 3: the file changed while it was checked"
    else
    match network with
    | Missing -> Invalid "section 3: no network is named"
    | Broken reason -> Invalid reason
    | Network network ->
        let certificate = Certificate_file.read text in
        Limits.before_check network certificate;
        (* the network with all its coefficients, which may take much room *)
        let dense () = Lazy.force network.dense in
        let is_proved =
          match certificate with
          | Injectivity ({ injective_by = ByWindows _; _ } as certificate) ->
              Checker.check_sparse_injective Proposals.oracle (Lazy.force network.sparse) certificate
          | OneLayer certificate -> Checker.check Proposals.oracle (dense ()) certificate
          | Through certificate -> Checker.check_through Proposals.oracle Proposals.reduce (dense ()) certificate
          | Collision certificate -> Checker.check_collision (dense ()) certificate
          | Injectivity certificate -> Checker.check_injective Proposals.oracle (dense ()) certificate
          | BiasLimit certificate -> Checker.check_bias_limit (dense ()) certificate
          | Expansion certificate -> Checker.check_expansion (dense ()) certificate
          | NetworkInjectivity certificate ->
              Checker.check_network_injective Proposals.oracle Proposals.on_cones Proposals.solve Proposals.root_above Proposals.domain_of
                (dense ()) certificate in
        if is_proved then Valid (Certificate_file.claim_in_words certificate)
        else Invalid (Explanation.of_refusal network certificate))

let printable = String.map (fun c -> if c >= ' ' && c <= '~' then c else '?')

let run paths =
  let problems = ref [] in
  let problem text = problems := text :: !problems in
  let found = Files.find paths problem in
  if found.certificates = [] then problem "no certificate was found; name a certificate or a folder that holds some";
  let verdicts = Hashtbl.create 64 in
  let current = ref ("", Missing) in
  let judge (sha256, path) =
    if sha256 <> fst !current then begin
      (* the last network is given up before the next one is read *)
      current := ("", Missing);
      current := (sha256, load found.networks sha256)
    end;
    let verdict =
      match snd !current with
      | Missing when sha256 <> "" ->
          let reason =
            Printf.sprintf "section 2: its network file, SHA-256 %s, is not among the paths nor beside it, or has changed" sha256 in
          problem (path ^ ": " ^ reason);
          Invalid reason
      | network -> check_file path sha256 network in
    Hashtbl.replace verdicts path verdict in
  (* the certificates of one network together, so that one network at a time is in memory *)
  List.iter judge (List.sort compare (List.map (fun path -> (network_named path, path)) found.certificates));
  let results = List.map (fun path -> (path, Hashtbl.find verdicts path)) found.certificates in
  List.iter (fun (path, verdict) ->
    let word, text =
      match verdict with
      | Valid claim -> ("valid  ", claim)
      | Unknown reason -> ("unknown", reason)
      | Invalid reason -> ("INVALID", reason) in
    Printf.printf "%s %s: %s\n" word (printable path) (printable text)) results;
  List.iter (fun path -> Printf.printf "ignored %s\n" (printable path)) found.ignored;
  flush stdout;
  List.iter (fun text -> prerr_endline ("problem " ^ printable text)) (List.rev !problems);
  let is_valid = function _, Valid _ -> true | _ -> false in
  let is_unknown = function _, Unknown _ -> true | _ -> false in
  let count asked = List.length (List.filter asked results) in
  let unknown = match count is_unknown with 0 -> "" | count -> Printf.sprintf ", %d unknown" count in
  Printf.printf "%d of %d certificates are valid%s (machine-checked checker); the networks' integers were not compared with a model.\n"
    (count is_valid) (List.length results) unknown;
  if !problems <> [] || results = [] then 2 else if List.for_all is_valid results then 0 else 1

let usage = "usage: exactrelu-check PATH ...\nCheck certificates, network files beside them, or folders of them.\n"

let () =
  (* a young generation that stays in the processor's cache, and few collections of the old one, which is long lists *)
  Gc.set { (Gc.get ()) with Gc.minor_heap_size = 1 lsl 15; space_overhead = 400; allocation_policy = 2 };
  Limits.watch_memory ();
  match List.tl (Array.to_list Sys.argv) with
  | [] -> prerr_string usage; exit 2
  | [ "-h" ] | [ "--help" ] -> print_string usage
  | "--" :: paths | paths ->
      match run paths with
      | code -> exit code
      | exception (Out_of_memory | Stack_overflow) ->
          prerr_endline "problem the files take more memory than this checker takes on";
          exit 2
